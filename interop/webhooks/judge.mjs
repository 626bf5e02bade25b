// The receiver's side in Node: verifies messages with npm's standardwebhooks, as docs/webhooks.md shows it.
import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line)
  try {
    const message = new Webhook(secret).verify(Buffer.from(body, 'base64').toString(), headers)
    console.log(JSON.stringify({ Value: message.type }))
  } catch (error) {
    console.log(JSON.stringify({ Error: String(error) }))
  }
}
