// Node's judge: the jose package, as people use it. See ../README.md for the lines it reads and writes.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'
import { SignJWT, importPKCS8, importSPKI, jwtVerify } from 'jose'

globalThis.crypto ??= webcrypto // Debian 12's Node 18 has it under this name only

const text = word => Buffer.from(word, 'base64').toString()
const word = value => Buffer.from(value).toString('base64')
const secret = key => new TextEncoder().encode(key)

async function verify(alg, key, token) {
  const verifier = alg.startsWith('HS') ? secret(key) : await importSPKI(key, alg)
  const { payload } = await jwtVerify(token, verifier, { algorithms: [alg] })
  return JSON.stringify(payload)
}

async function sign(alg, key, claims) {
  const signer = alg.startsWith('HS') ? secret(key) : await importPKCS8(key, alg)
  return new SignJWT(JSON.parse(claims)).setProtectedHeader({ alg, typ: 'JWT' }).sign(signer)
}

for await (const line of createInterface({ input: process.stdin })) {
  const [action, alg, key, value] = line.split(' ')
  try {
    const act = action === 'sign' ? sign : verify
    console.log('ok', word(await act(alg, text(key), text(value))))
  } catch (error) {
    console.log('refused', word(String(error)))
  }
}
