//! The keys by which sites vouch for visitors, as one thread has read them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::access::AdmissionKeys;
use crate::domain::id::WidgetId;
use crate::domain::settings::WidgetSettings;
use crate::domain::settings::registry::Registry;

/// The keys by which sites vouch for the visitors of widgets, as one thread has read them: once for
/// each change of a widget's settings, and not for each visitor.
#[derive(Debug, Default)]
pub(super) struct ReadKeys(RefCell<BTreeMap<WidgetId, Read>>);

#[derive(Debug)]
struct Read {
    of: Arc<WidgetSettings>,
    keys: Rc<AdmissionKeys>,
}

impl ReadKeys {
    /// The keys of a widget under its present settings, if its visitors are vouched for.
    pub(super) fn of(&self, widget: &WidgetId, settings: &Registry) -> Option<Rc<AdmissionKeys>> {
        let now = settings.widgets.get(widget)?;
        let rule = now.admission.as_ref()?;
        let mut read = self.0.borrow_mut();
        if let Some(known) = read.get(widget).filter(|known| Arc::ptr_eq(&known.of, now)) {
            return Some(known.keys.clone());
        }
        // The keys of widgets that no longer exist need not be kept.
        read.retain(|id, _| settings.widgets.contains_key(id));
        let keys = Rc::new(AdmissionKeys::of(rule));
        read.insert(widget.clone(), Read { of: now.clone(), keys: keys.clone() });
        Some(keys)
    }
}
