// A single-page application that signs users in with oidc-client-ts.
const { issuer, clientID } = await (await fetch('/settings.json')).json()

const manager = new oidc.UserManager({
  authority: issuer,
  client_id: clientID,
  redirect_uri: `${location.origin}/`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: 'openid profile email',
  loadUserInfo: true,
})

// The page shows the result of each action.
async function show(action) {
  let text
  try {
    text = await action()
  } catch (error) {
    text = `${error.name}: ${error.error ?? ''} ${error.message}`
  }
  document.querySelector('#result').textContent = text
}

// The provider redirects here after a sign-in, and in a frame after a silent renewal.
if (new URLSearchParams(location.search).has('state')) {
  await show(async () => {
    await manager.signinCallback()
    const { profile } = await manager.getUser()
    history.replaceState(null, '', '/')
    return `signed in as ${profile.sub}, ${profile.name}, ${profile.email}`
  })
} else {
  await show(async () => await manager.getUser() ? 'signed in' : 'signed out')
}

document.querySelector('#sign-in').onclick = () => show(() => manager.signinRedirect())
document.querySelector('#sign-out').onclick = () => show(() => manager.signoutRedirect())
document.querySelector('#renew').onclick = () => show(async () => {
  const before = await manager.getUser()
  const after = await manager.signinSilent()
  const how = before.refresh_token ? 'refresh token' : 'frame'
  return after.access_token === before.access_token ? 'the same token' : `renewed by ${how}`
})
document.body.dataset.ready = 'yes'
