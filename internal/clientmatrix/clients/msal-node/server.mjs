// A web application that signs users in with MSAL Node.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import * as msal from '@azure/msal-node'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN, PORT, CERTIFICATE, KEY } = process.env

const app = new msal.ConfidentialClientApplication({
  auth: {
    clientId: CLIENT_ID, clientSecret: CLIENT_SECRET,
    authority: ISSUER, knownAuthorities: [new URL(ISSUER).host],
  },
  system: { protocolMode: msal.ProtocolMode.OIDC },
})
const scopes = ['openid', 'profile', 'email']
const redirectUri = `${ORIGIN}/callback`

// One user at a time, so this application keeps the session in memory without a cookie.
let verifier, result

const pages = {
  async '/login'() {
    const codes = await new msal.CryptoProvider().generatePkceCodes()
    verifier = codes.verifier
    return new URL(await app.getAuthCodeUrl({ scopes, redirectUri, codeChallenge: codes.challenge, codeChallengeMethod: 'S256' }))
  },
  async '/callback'(url) {
    if (url.searchParams.has('error')) throw new Error(url.searchParams.get('error'))
    result = await app.acquireTokenByCode({ scopes, redirectUri, code: url.searchParams.get('code'), codeVerifier: verifier })
    return { username: result.account.username }
  },
  async '/userinfo'() {
    const answer = await fetch(`${ISSUER}/userinfo`, { headers: { authorization: `Bearer ${result.accessToken}` } })
    return answer.json()
  },
  async '/refresh'() {
    const before = result.accessToken
    result = await app.acquireTokenSilent({ account: result.account, scopes, forceRefresh: true })
    return { [result.accessToken === before ? 'same' : 'refreshed']: true }
  },
  '/logout': () => new URL(`${ISSUER}/logout?${new URLSearchParams({ id_token_hint: result.idToken, post_logout_redirect_uri: `${ORIGIN}/` })}`),
  '/': () => ({ page: 'home' }),
}

createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, async (request, response) => {
  const url = new URL(request.url, ORIGIN)
  try {
    const answer = await pages[url.pathname](url)
    if (answer instanceof URL) return response.writeHead(302, { location: answer.href }).end()
    response.end(JSON.stringify(answer))
  } catch (error) {
    response.writeHead(500).end(`${error.errorCode ?? ''} ${error.message}`)
  }
}).listen(PORT)
