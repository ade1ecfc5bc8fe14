//! Seeds that have failed once, each with what it found. They always run.

/// The seed, and what it found.
pub const FOUND: [(u64, &str); 35] = [
    (27, "a chat waited under units that had changed, though an agent was free for it"),
    (33, "a chat was offered under units that had changed, for more than there was"),
    (219, "an offer that a fault swallowed kept the agent's units until the next audit"),
    (247, "a tab that answered its ping while its start was written counted as silent"),
    (16_166, "the check looked while a page of missed messages was still to come"),
    (20_155, "a second start told again what had been told while it was written"),
    (500_627, "the same, of a start that was said again"),
    (1_000_923, "the same, of a start in one breath with hello"),
    (33_607, "what an agent said, or was to be told, while a write failed was lost with it"),
    (52_328, "the same, with two agents who had set units aside"),
    (901_456, "the same, of a chat that a supervisor closed meanwhile"),
    (1_000_908, "the same, again and again while the disk was full"),
    (1_002_184, "the same, of a chat that had just begun"),
    (21_500, "the check took a disk that was full before the start for a good one"),
    (23_422, "the check did not know that a fault gives an offer its whole time as set by then"),
    (50_434, "the same, of a start of the server"),
    (202_864, "the same, of settings that changed twice"),
    (1_003_771, "the same, of an offer that was ignored"),
    (200_381, "accepting an offer took more units than had been set aside for it"),
    (17_755, "a tab that said start again, and so was there, counted as silent"),
    (375_420_504_978_179, "units that were set aside before they were taken away were offered"),
    (709_604_625_988_852, "a tab that had been given up came in again by its second start"),
    (652_753_969_968_524, "the check gave a silence that a slow disk hid no time to be found"),
    (652_753_969_974_498, "the check counted on an agent whom a request alone made present"),
    (652_753_969_978_648, "the same, of one whose offer ended with their presence"),
    (652_753_969_979_252, "the check did not wait for an offer that was still being written"),
    (1_824_606_108_906_790, "an agent who was put again twice acted when the first had heard all"),
    (1_797_699_110_866_634, "who was away for a moment gave back units of an offer on its way"),
    (1_797_699_110_852_979, "the check counted on units that a fault had kept set aside"),
    (176_098_396_980_679, "the check took one who reads nothing for let in when they joined"),
    (1_695_228_041_919_109, "the same, of one whose second start a slow disk held up"),
    (1_695_228_041_979_465, "the check counted on units set aside for a chat that was picked"),
    (1_286_707_934_959_447, "the check waited for what is told to one who had said hello and left"),
    (1_286_707_934_977_247, "the check took an agent who was put again for the one from before"),
    (1_286_707_935_136_219, "the check allowed a world of hours as many steps as one of minutes"),
];

/// Seeds that notice what others seldom do, each with the wrong rule that it shows.
pub const NOTICING: [(u64, &str); 3] = [
    (4_294_967_296, "what was told to an agent who was about to go is lost, and their chat alone"),
    (4_294_967_344, "units are offered that were taken away while a chat was read again"),
    (4_294_967_357, "an agent who was put again is offered a chat before all was said"),
];
