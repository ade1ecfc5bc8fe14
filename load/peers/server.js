// A chat server of the least size on socket.io: connection state recovery brings a customer back,
// and a timer of our own tells the agents who did not return, for socket.io has no such notice.
'use strict';

const { createServer } = require('http');
const { Server } = require('socket.io');

if (process.argv[2] === 'version') {
  console.log('socket.io', require('socket.io/package.json').version, 'on Node', process.version);
  process.exit(0);
}

const [, , port, heartbeat, window] = process.argv.map(Number);

const http = createServer();
const io = new Server(http, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  pingInterval: heartbeat,
  pingTimeout: heartbeat,
  connectionStateRecovery: { maxDisconnectionDuration: window },
});

// What the project itself advises for many connections.
io.engine.on('connection', (raw) => {
  raw.request = null;
});

/** The timers of those who are away, by customer. */
const away = new Map();

io.on('connection', (socket) => {
  const { customer, agent } = socket.handshake.auth;
  if (agent) {
    socket.join('agents');
    socket.emit('welcome');
    return;
  }
  clearTimeout(away.get(customer));
  away.delete(customer);
  // Without an event from here there is no offset, and without an offset no recovery.
  if (!socket.recovered) {
    socket.emit('welcome');
    io.to('agents').emit('here', customer);
  }
  socket.on('post', (number, text, done) => {
    io.to('agents').emit('message', customer, number, text);
    done();
  });
  socket.on('disconnect', () => {
    const due = performance.now() + window;
    const gone = () => {
      // libuv counts a timeout from its own idea of now, so it may fire a little early.
      const left = due - performance.now();
      if (left > 0) {
        away.set(customer, setTimeout(gone, Math.ceil(left)));
        return;
      }
      away.delete(customer);
      io.to('agents').emit('gone', customer);
    };
    away.set(customer, setTimeout(gone, window));
  });
});

http.listen({ port, host: '127.0.0.1', backlog: 4096 });
