// A web application that signs users in with Auth.js.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { ExpressAuth, getSession } from '@auth/express'
import { getToken } from '@auth/core/jwt'
import express from 'express'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN, PORT, CERTIFICATE, KEY } = process.env

const config = {
  trustHost: true,
  secret: CLIENT_SECRET,
  providers: [{ id: 'oauthkit', name: 'Shop account', type: 'oidc', issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET }],
  callbacks: {
    jwt: ({ token, account }) => account ? { ...token, idToken: account.id_token, refreshToken: account.refresh_token } : token,
  },
}
// The tokens stay in the encrypted cookie of Auth.js.
const tokens = (request) => getToken({
  req: { headers: request.headers }, secret: CLIENT_SECRET, secureCookie: true, salt: '__Secure-authjs.session-token',
})

const app = express()
app.use('/auth/*', ExpressAuth(config))
app.get('/userinfo', async (request, response) => response.json(await getSession(request, config)))
app.get('/refresh', async (request, response) => {
  const { refreshToken } = await tokens(request)
  const answer = await fetch(`${ISSUER}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${CLIENT_ID}:${CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
  })
  response.status(answer.status).json({ refreshed: answer.ok, ...await answer.json() })
})
app.get('/logout', async (request, response) => {
  const { idToken } = await tokens(request)
  const query = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: `${ORIGIN}/` })
  response.clearCookie('__Secure-authjs.session-token', { secure: true }).redirect(`${ISSUER}/logout?${query}`)
})
app.get('/', async (request, response) => response.json(await getSession(request, config)))

createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, app).listen(PORT)
