// A client written with npm's openid-client, and just enough of a browser to sign alice in. It prints what it learned as JSON.
import * as client from 'openid-client'

const [issuer, clientID, secret, redirectURI, password, algorithm] = process.argv.slice(2)

// A browser: cookies, redirects one at a time, and forms.
const cookies = new Map()
async function send(url, form) {
  const response = await fetch(url, {
    method: form ? 'POST' : 'GET',
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    body: form ? new URLSearchParams(form) : undefined,
  })
  for (const cookie of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
    cookies.set(name, value)
  }
  return response
}

async function answer(url) {
  for (let steps = 0, form; steps < 12; steps++) {
    const response = await send(url, form)
    form = undefined
    if (response.status === 303) {
      url = new URL(response.headers.get('location'), url)
      if (url.href.startsWith(redirectURI)) return url
      continue
    }
    const page = await response.text()
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}\n${page}`)
    form = page.includes('name="password"') ? { username: 'alice', password } : { decision: 'allow' }
    for (const [, name, value] of page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)) {
      form[name] = value.replaceAll('&amp;', '&').replaceAll('&#43;', '+').replaceAll('&#61;', '=')
    }
    url = new URL(/<form[^>]* action="([^"]*)"/.exec(page)[1], url)
  }
  throw new Error('too many steps')
}

const config = await client.discovery(
  new URL(issuer), clientID, { client_secret: secret, id_token_signed_response_alg: algorithm }, client.ClientSecretBasic(secret),
  { execute: [client.allowInsecureRequests] },
)
const verifier = client.randomPKCECodeVerifier()
const nonce = client.randomNonce()
const state = client.randomState()
const back = await answer(client.buildAuthorizationUrl(config, {
  redirect_uri: redirectURI, scope: 'openid profile email read', state, nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
}))
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true })
const claims = tokens.claims()
const userInfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const active = await client.tokenIntrospection(config, refreshed.access_token)
const machine = await client.clientCredentialsGrant(config, { scope: 'read' })
await client.tokenRevocation(config, refreshed.refresh_token)
const revoked = await client.tokenIntrospection(config, refreshed.access_token)

console.log(JSON.stringify({
  subject: claims.sub, name: userInfo.name, email: userInfo.email,
  refreshed: refreshed.access_token !== tokens.access_token && refreshed.claims().sub === claims.sub,
  active: active.active, machineScope: machine.scope, machineRefresh: machine.refresh_token ?? null, revoked: !revoked.active,
}))
