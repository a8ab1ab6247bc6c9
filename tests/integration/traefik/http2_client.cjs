// One request over HTTP/2, as standard input describes it; what came back goes to standard output. A broken stream is told, too.
const http2 = require('node:http2')
const fs = require('node:fs')

const asked = JSON.parse(fs.readFileSync(0, 'utf8'))
const session = http2.connect(asked.url, { ca: fs.readFileSync(asked.ca) })
const told = { status: null, headers: {}, body: '' }
const end = (problem) => {
  process.stdout.write(JSON.stringify(problem ? { ...told, problem: String(problem) } : told))
  process.exit(0)
}
session.on('error', end)
const stream = session.request(asked.headers, { endStream: false })
stream.on('response', (headers) => { told.status = headers[':status']; told.headers = { ...headers } })
stream.setEncoding('utf8')
stream.on('data', (piece) => { told.body += piece })
stream.on('error', end)
stream.on('end', () => { if (told.status !== null) end() })
stream.on('close', () => end(told.status === null ? 'closed' : null))
for (const piece of asked.pieces) stream.write(piece)
stream.end()
