// Run the CSMS of npm `ocpp-rpc` or `ocpp-ws-io` in strict mode: `node csms_node.js PACKAGE VERSION`.
// The same JSON lines as csms_python.py: what was received and answered, what the package's schemas refuse.
"use strict";
const readline = require("readline");

const [name, version] = process.argv.slice(2);
const peer = require(name);
const protocol = `ocpp${version}`;
const write = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const now = () => new Date().toISOString();
let client = null;
let transactions = 0;

const ANSWERS = {
  BootNotification: () => ({ status: "Accepted", currentTime: now(), interval: 300 }),
  Heartbeat: () => ({ currentTime: now() }),
  Authorize: () => (version === "1.6" ? { idTagInfo: { status: "Accepted" } } : { idTokenInfo: { status: "Accepted" } }),
  StartTransaction: () => ({ transactionId: ++transactions, idTagInfo: { status: "Accepted" } }),
  DataTransfer: () => ({ status: "UnknownVendorId" }),
  NotifyEVChargingNeeds: () => ({ status: "Accepted" }),
};

function refuse(what) {
  const error = what.error || what;
  const of = what.method || JSON.stringify(what.message || "");
  write({ refused: `${of}: ${error.message} ${JSON.stringify(error.details || {})}`.slice(0, 600) });
}

function connected(one) {
  client = one;
  one.on("strictValidationFailure", refuse);
  one.on("badMessage", refuse);
  one.on("error", refuse);
  // One package gives a wildcard handler the request, the other the method and the request.
  one.handle((first, second) => {
    const { method, params } = second?.params ? second : first;
    const response = (ANSWERS[method] || (() => ({})))();
    write({ received: method, payload: params, response });
    return response;
  });
}

async function main() {
  const how = { protocols: [protocol], strictMode: [protocol] };
  const server = name === "ocpp-rpc" ? new peer.RPCServer(how) : new peer.OCPPServer({ ...how, logging: false });
  server.auth((accept) => (name === "ocpp-rpc" ? accept() : accept.accept()));
  server.on("client", connected);
  const listening = await server.listen(0, "127.0.0.1");
  write({ listening: listening.address().port });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { id, call, payload } = JSON.parse(line);
    client.call(call, payload).then(
      (answer) => write({ id, answer }),
      (error) => write({ id, failure: `${error.rpcErrorCode || error.name}: ${error.message} ${JSON.stringify(error.details || {})}` }),
    );
  }
  process.exit(0);
}

main();
