// The artifact service and the artifact part of the REST API, before azurite, which keeps the bytes as Azure does.
// Strict where GitHub is: names in snake_case, 64-bit numbers as texts, unknown fields refused, a name used once in a run.
// Ends when its input ends.

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const modules = join(process.argv[2], 'node_modules');
const { BlobServiceClient, StorageSharedKeyCredential, BlobSASPermissions, generateBlobSASQueryParameters } =
  await import(pathToFileURL(join(modules, '@azure/storage-blob/dist/esm/index.js')));

const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const azurite = spawn(process.execPath, [
  join(modules, 'azurite/dist/src/blob/main.js'), '--blobHost', '127.0.0.1', '--blobPort', String(port),
  '--skipApiVersionCheck', '--loose', '--silent', '--inMemoryPersistence',
], { stdio: 'ignore' });
process.on('exit', () => azurite.kill('SIGKILL'));
process.stdin.on('end', () => process.exit(0)).resume();
for (let tries = 0; ; tries++) {
  const up = await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
  if (up) break;
  if (tries === 400) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 25));
}

const key = new StorageSharedKeyCredential(ACCOUNT, KEY);
const service = new BlobServiceClient(`http://127.0.0.1:${port}/${ACCOUNT}`, key);
const container = service.getContainerClient('artifacts');
await container.create();
await service.getContainerClient('barge').create();

// What a test wants of a run: addresses that end soon, answers that fail at first, a commit of a fork.
const USUAL = { signed_for: 600, failures: 0, head: { repository_id: 1, head_repository_id: 1, head_sha: 'a'.repeat(40) },
  repository: 'acme/app' };
const runs = {};
const settings = (run) => (runs[run] ??= { ...USUAL });
const artifacts = [];

function signed({ blob: blobName, run }, permissions, fileName) {
  const now = Date.now();
  const query = generateBlobSASQueryParameters({
    containerName: 'artifacts', blobName, permissions: BlobSASPermissions.parse(permissions),
    startsOn: new Date(now - 60_000), expiresOn: new Date(now + settings(run).signed_for * 1000),
    contentDisposition: fileName && `attachment; filename="${fileName}"`,
  }, key);
  return `${container.getBlobClient(blobName).url}?${query}`;
}

class Refused extends Error {
  constructor(status, code, msg) { super(msg); Object.assign(this, { status, code }); }
}
function fields(body, known) {
  for (const [name, value] of Object.entries(body)) {
    if (!(name in known)) throw new Refused(400, 'malformed', `unknown field "${name}"`);
    if (typeof value !== known[name]) throw new Refused(400, 'malformed', `"${name}" is a ${typeof value}`);
  }
}
const IDS = { workflow_run_backend_id: 'string', workflow_job_run_backend_id: 'string' };
const find = (body) => {
  const found = artifacts.find((a) => a.run === body.workflow_run_backend_id && a.name === body.name && !a.deleted);
  if (!found) throw new Refused(404, 'not_found', 'artifact not found');
  return found;
};

const METHODS = {
  CreateArtifact(body) {
    fields(body, { ...IDS, name: 'string', expires_at: 'string', version: 'number', mime_type: 'string' });
    if (/["":<>|*?\r\n\\/]/.test(body.name) || body.version !== 7) throw new Refused(400, 'invalid_argument', 'bad name or version');
    if (body.expires_at && Number.isNaN(Date.parse(body.expires_at))) throw new Refused(400, 'malformed', 'bad time');
    if (artifacts.some((a) => a.run === body.workflow_run_backend_id && a.name === body.name)) {
      throw new Refused(409, 'already_exists', 'an artifact with this name already exists on the workflow run');
    }
    const id = artifacts.length + 1;
    const artifact = { id, run: body.workflow_run_backend_id, job: body.workflow_job_run_backend_id, name: body.name,
      blob: `blob-${id}`, expires: body.expires_at };
    artifacts.push(artifact);
    return { ok: true, signed_upload_url: signed(artifact, 'cw') };
  },
  FinalizeArtifact(body) {
    fields(body, { ...IDS, name: 'string', size: 'string', hash: 'string' });
    const artifact = find(body);
    Object.assign(artifact, { size: body.size, digest: body.hash, done: true });
    return { ok: true, artifact_id: String(artifact.id) };
  },
  ListArtifacts(body) {
    fields(body, { ...IDS, name_filter: 'string', id_filter: 'string' });
    const found = artifacts.filter((a) => a.done && !a.deleted && a.run === body.workflow_run_backend_id
      && (!body.name_filter || a.name === body.name_filter) && (!body.id_filter || String(a.id) === body.id_filter));
    return { artifacts: found.map((a) => ({ workflow_run_backend_id: a.run, workflow_job_run_backend_id: a.job,
      database_id: String(a.id), name: a.name, size: a.size, created_at: new Date().toISOString(), digest: a.digest })) };
  },
  GetSignedArtifactURL(body) {
    fields(body, { ...IDS, name: 'string' });
    const artifact = find(body);
    return { signed_url: signed(artifact, 'r', artifact.name) };
  },
  DeleteArtifact(body) {
    fields(body, { ...IDS, name: 'string' });
    const artifact = find(body);
    artifact.deleted = true;
    return { ok: true, artifact_id: String(artifact.id) };
  },
};

const API = /^\/repos\/(\w+\/\w+)\/actions\/(?:runs\/(\d+)\/)?artifacts(?:\/(\d+)(\/zip)?)?$/;

const DAY = 86_400_000;
const item = (a) => ({ id: a.id, name: a.name, size_in_bytes: Number(a.size), expired: false, digest: a.digest,
  expires_at: a.expires ?? new Date(Date.now() + 90 * DAY).toISOString(), workflow_run: settings(a.run).head });

function rest(method, url) {
  const [, repository, run, id, zip] = API.exec(url.pathname) ?? [];
  if (!API.test(url.pathname)) return [404, { message: 'Not Found' }];
  const shown = artifacts.filter((a) => a.done && !a.deleted && settings(a.run).repository === repository).reverse();
  if (id) {
    const found = shown.find((a) => String(a.id) === id);
    if (!found) return [404, { message: 'Not Found' }];
    if (method === 'DELETE') { found.deleted = true; return [204]; }
    if (zip) return [302, undefined, { location: signed(found, 'r', found.name) }];
    return [200, item(found)];
  }
  const name = url.searchParams.get('name');
  const page = Number(url.searchParams.get('page') ?? 1);
  const size = Number(url.searchParams.get('per_page') ?? 30);
  const found = shown.filter((a) => (!name || a.name === name) && (!run || a.run === `run-${run}`));
  return [200, { total_count: found.length, artifacts: found.slice((page - 1) * size, page * size).map(item) }];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const url = new URL(request.url, 'http://front');
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  if (url.pathname === '/control') {
    const wanted = JSON.parse(text);
    Object.assign(settings(wanted.run), wanted);
    return answer(200, {});
  }
  if (!request.headers.authorization?.startsWith('Bearer ')) return answer(401, { code: 'unauthenticated', msg: 'no token' });
  const twirp = /^\/twirp\/github\.actions\.results\.api\.v1\.ArtifactService\/(\w+)$/.exec(url.pathname);
  if (!twirp) return answer(...rest(request.method, url));
  try {
    const body = JSON.parse(text);
    const wanted = settings(body.workflow_run_backend_id);
    if (wanted.failures > 0) {
      wanted.failures -= 1;
      throw new Refused(503, 'unavailable', 'try again');
    }
    answer(200, METHODS[twirp[1]](body));
  } catch (error) {
    answer(error.status ?? 500, { code: error.code ?? 'internal', msg: error.message });
  }
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}`, blobs: `http://127.0.0.1:${port}/${ACCOUNT}`, account: ACCOUNT, key: KEY }));
});
