// A web application that signs users in with passport-openidconnect.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, ORIGIN, PORT, CERTIFICATE, KEY, NONCE } = process.env

passport.use(new OpenIDConnectStrategy({
  issuer: ISSUER,
  authorizationURL: `${ISSUER}/authorize`,
  tokenURL: `${ISSUER}/token`,
  userInfoURL: `${ISSUER}/userinfo`,
  clientID: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  callbackURL: `${ORIGIN}/callback`,
  scope: ['profile', 'email'],
  nonce: NONCE === 'true' || undefined,
  skipUserProfile: false,
}, (issuer, profile, context, idToken, done) => done(null, { ...profile, idToken })))
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.use(session({ secret: CLIENT_SECRET, resave: false, saveUninitialized: false, cookie: { secure: true, sameSite: 'lax' } }))
app.use(passport.session())

app.get('/login', passport.authenticate('openidconnect'))
app.get('/callback', passport.authenticate('openidconnect', { failureRedirect: '/?failed', failureMessage: true }), (request, response) => {
  response.redirect('/')
})
app.get('/userinfo', (request, response) => response.json(request.user.emails))
app.get('/logout', (request, response, next) => {
  const query = new URLSearchParams({ id_token_hint: request.user.idToken, post_logout_redirect_uri: `${ORIGIN}/` })
  request.logout((error) => error ? next(error) : response.redirect(`${ISSUER}/logout?${query}`))
})
app.get('/', (request, response) => response.json({ user: request.user?.id, messages: request.session.messages }))

createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, app).listen(PORT)
