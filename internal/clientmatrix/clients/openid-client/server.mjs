// A web application that signs users in with openid-client.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN, PORT, CERTIFICATE, KEY } = process.env

const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET)

// One user at a time, so this application keeps the session in memory without a cookie.
let pending, tokens

const pages = {
  async '/login'() {
    const verifier = client.randomPKCECodeVerifier()
    pending = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() }
    return client.buildAuthorizationUrl(config, {
      redirect_uri: `${ORIGIN}/callback`, scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      state: pending.expectedState, nonce: pending.expectedNonce,
    })
  },
  async '/callback'(url) {
    tokens = await client.authorizationCodeGrant(config, url, pending)
    return tokens.claims()
  },
  '/userinfo': () => client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub),
  async '/refresh'() {
    const before = tokens.access_token
    tokens = { ...tokens, ...await client.refreshTokenGrant(config, tokens.refresh_token) }
    return { [tokens.access_token === before ? 'same' : 'refreshed']: true }
  },
  '/logout': () => client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${ORIGIN}/` }),
  '/': () => ({ page: 'home' }),
}

createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, async (request, response) => {
  const url = new URL(request.url, ORIGIN)
  try {
    const answer = await pages[url.pathname](url)
    if (answer instanceof URL) return response.writeHead(302, { location: answer.href }).end()
    response.end(JSON.stringify(answer))
  } catch (error) {
    response.writeHead(500).end(`${error.error ?? error.code}: ${error.message}`)
  }
}).listen(PORT)
