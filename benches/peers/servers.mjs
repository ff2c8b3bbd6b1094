// The servers that are measured against each other: each is started alone, on one core, in a
// temporary folder, and is gone with it afterwards.
//
// Tidegate starts itself (`tidegate bench` without a target); the others are started here. A
// server is `{ words, pids }`: what the load client is told, and whose CPU and memory count.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
export const tidegate = join(root, "target", "release", "tidegate");

const SERVER_CORE = "0";
const CRATE = { name: "durable-streams", version: "0.1.5", binary: "durable-streams-server" };
const peer = join(root, "target", "peers", "bin", CRATE.binary);
const NCHAN = { program: "/usr/sbin/nginx", module: "/usr/lib/nginx/modules/ngx_nchan_module.so" };

/** Who can be measured, in the order of the tables. */
export const SERVERS = {
  tidegate: { title: "Tidegate", start: ownServer([]) },
  tickets: { title: "Tidegate, tickets", start: ownServer(["--live", "events"]) },
  nchan: { title: "nchan 1.3.6", start: startNchan, install: () => apt("nchan", [NCHAN.program, NCHAN.module], ["nginx-light", "libnginx-mod-nchan"]) },
  redis: { title: "nchan + Redis, AOF always", start: startNchanOnRedis, install: () => apt("Redis", ["/usr/bin/redis-server"], ["redis-server"]) },
  peer: { title: `${CRATE.name} ${CRATE.version}`, start: startPeer, install: installPeer },
  limit: { title: "bare loop", start: startLimit },
};

const children = new Set();
const folders = new Set();

/** Ends what was started and removes its folders. */
export async function cleanUp() {
  // SIGTERM first: a load takes its own server and folder with it, nginx its worker.
  await Promise.all([...children].map(end));
  for (const folder of folders) remove(folder);
}

/** Runs a program and answers what it printed, however it ended. It never outlives `seconds`. */
export async function run(words, { seconds }) {
  const child = start(words, ["ignore", "pipe", "inherit"]);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (more) => { text += more; });
  const closed = new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const late = setTimeout(() => end(child), seconds * 1_000);
  await closed;
  clearTimeout(late);
  return text;
}

/** Starts a server, lets `load` use it, and ends it. */
export async function withServer(name, load) {
  const server = await SERVERS[name].start();
  try {
    return await load(server);
  } finally {
    for (const child of server.children ?? []) await end(child);
    if (server.folder) remove(server.folder);
  }
}

function ownServer(words) {
  return () => ({ words });
}

async function startPeer() {
  const [port, folder] = [await freePort(), newFolder()];
  const child = startServer([peer, "--port", String(port), "--data-dir", folder]);
  await reachable(port);
  return { words: target(port, "bench", [child.pid]), children: [child], folder };
}

async function startLimit() {
  const port = await freePort();
  const child = startServer([tidegate, "bench", "--serve-limit", `127.0.0.1:${port}`]);
  await reachable(port);
  return { words: [...target(port, "", [child.pid]), "--dialect", "pubsub"], children: [child] };
}

function startNchan() {
  return nginx({ folder: newFolder(), before: [], upstream: "", pass: "" });
}

async function startNchanOnRedis() {
  const [port, folder] = [await freePort(), newFolder()];
  const redis = startServer(["/usr/bin/redis-server", "--port", String(port), "--bind", "127.0.0.1", "--dir", folder,
    "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
  await reachable(port);
  const upstream = `upstream store { nchan_redis_server redis://127.0.0.1:${port}; }`;
  return nginx({ folder, before: [redis], upstream, pass: "nchan_redis_pass store;" });
}

/** nginx with one worker; the worker's CPU and memory count, and what stands behind it. */
async function nginx({ folder, before, upstream, pass }) {
  const port = await freePort();
  const config = join(folder, "nginx.conf");
  writeFileSync(config, nchanConfig({ port, folder, upstream, pass }));
  const master = startServer([NCHAN.program, "-p", folder, "-e", join(folder, "error.log"), "-c", config]);
  await reachable(port);
  await storing(`http://127.0.0.1:${port}/pub/ready`);
  const pids = [await worker(master.pid), ...before.map((child) => child.pid)];
  return { words: [...target(port, "", pids), "--dialect", "pubsub"], children: [master, ...before], folder };
}

/** The one worker; the port is open a moment before there is one. */
async function worker(master) {
  for (let tries = 0; tries < 500; tries += 1) {
    const [pid] = readFileSync(`/proc/${master}/task/${master}/children`, "utf8").trim().split(" ");
    if (pid) return Number(pid);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("nginx started no worker");
}

/** With Redis behind it, nchan answers 503 until it has its connections. */
async function storing(url) {
  for (let tries = 0; tries < 500; tries += 1) {
    const { ok } = await fetch(url, { method: "POST", body: "x" });
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("nchan stores nothing");
}

function nchanConfig({ port, folder, upstream, pass }) {
  const store = `nchan_message_buffer_length 20000; nchan_message_timeout 10m; ${pass}`;
  const user = process.getuid?.() === 0 ? "user root;" : "";
  return `load_module ${NCHAN.module};
${user}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${openFiles()};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections ${2 * openFiles()}; } # nginx closes young connections when its table fills up
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 100000000;
  client_body_buffer_size 128k;
  nchan_shared_memory_size 2048M;
  ${upstream}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ ^/pub/(.+)$ { nchan_publisher; nchan_channel_id $1; ${store} }
    location ~ ^/sub/(.+)$ { nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message newest; ${store} }
    location ~ ^/all/(.+)$ { nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message oldest; ${store} }
  }
}
`;
}

function target(port, path, pids) {
  return ["--target", `http://127.0.0.1:${port}/${path}`, "--server-pid", pids.join(",")];
}

function startServer(words) {
  return start(["taskset", "-c", SERVER_CORE, ...words], ["ignore", "ignore", "inherit"]);
}

function start([program, ...words], stdio) {
  const child = spawn(program, words, { stdio });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

/** Who does not end in time is killed. */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), "peer-"));
  folders.add(folder);
  return folder;
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  folders.delete(folder);
}

function openFiles() {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? 1_024);
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function reachable(port) {
  for (let tries = 0; tries < 500; tries += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => { socket.destroy(); resolve(true); });
      socket.once("error", () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Installs Debian packages when a file of theirs is missing: as root, else by a sentence. */
function apt(name, files, packages) {
  if (files.every((file) => existsSync(file))) return;
  const sentence = `${name} is missing: as root, run \`apt-get install ${packages.join(" ")}\`, or leave it out with --peers`;
  if (process.getuid?.() !== 0) throw new Error(sentence);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const stdio = ["ignore", "ignore", "inherit"];
  execFileSync("apt-get", ["update", "--quiet"], { env, stdio });
  execFileSync("apt-get", ["install", "--yes", "--no-install-recommends", ...packages], { env, stdio });
  if (!files.every((file) => existsSync(file))) throw new Error(sentence);
}

function installPeer() {
  if (existsSync(peer)) return;
  const words = ["install", CRATE.name, "--version", CRATE.version, "--locked", "--root", join(root, "target", "peers")];
  execFileSync("cargo", words, { cwd: root, stdio: "inherit" });
}
