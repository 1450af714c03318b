// Run the CSMS of npm `ocpp-rpc` or `ocpp-ws-io` in strict mode: `node csms_node.js PACKAGE VERSION PROFILE PASSWORD FOLDER`.
// The folder has server.pem, server.key and root.pem for the security profiles 2 and 3.
// The same JSON lines as csms_python.py: what was received and answered, what the package's schemas refuse.
"use strict";
const fs = require("fs");
const https = require("https");
const readline = require("readline");

const [name, version, profileText, password, folder] = process.argv.slice(2);
const profile = Number(profileText);
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

function tls() {
  const read = (file) => fs.readFileSync(`${folder}/${file}`);
  return { cert: read("server.pem"), key: read("server.key"), ca: read("root.pem"), rejectUnauthorized: profile === 3 };
}

function isKnown(handshake) {
  return ![1, 2].includes(profile) || (handshake.password || "").toString() === password;
}

async function listen(server) {
  if (name !== "ocpp-rpc" || profile < 2) return server.listen(0, "127.0.0.1");
  const listener = https.createServer({ ...tls(), requestCert: profile === 3 });
  listener.on("upgrade", server.handleUpgrade);
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  return listener;
}

async function main() {
  const how = { protocols: [protocol], strictMode: [protocol] };
  if (name === "ocpp-ws-io") Object.assign(how, { logging: false, securityProfile: profile });
  if (name === "ocpp-ws-io" && profile >= 2) how.tls = tls();
  const server = name === "ocpp-rpc" ? new peer.RPCServer(how) : new peer.OCPPServer(how);
  if (name === "ocpp-rpc") {
    server.auth((accept, reject, handshake) => (isKnown(handshake) ? accept() : reject(401)));
  } else {
    server.auth((context) => (isKnown(context.handshake) ? context.accept() : context.reject(401)));
  }
  server.on("client", connected);
  const listening = await listen(server);
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
