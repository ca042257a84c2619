// GitHub's own client: node client.mjs MODULES upload FILE | download NAME FOLDER | list

import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, command, first, second] = process.argv.slice(2);
// The client narrates on stdout, where the answer goes.
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = () => true;
const { DefaultArtifactClient } = await import(
  pathToFileURL(join(modules, 'node_modules/@actions/artifact/lib/artifact.js')));
const client = new DefaultArtifactClient();
const answer = await {
  upload: () => client.uploadArtifact(basename(first), [first], dirname(first), { skipArchive: true }),
  list: () => client.listArtifacts(),
  async download() {
    const { artifact } = await client.getArtifact(first);
    return client.downloadArtifact(artifact.id, { path: second, expectedHash: artifact.digest });
  },
}[command]();
write(JSON.stringify(answer));
