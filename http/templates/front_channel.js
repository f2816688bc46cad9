"use strict";
const next = document.currentScript.dataset.continue;
if (next) {
	const proceed = () => location.replace(next);
	addEventListener("load", proceed);
	setTimeout(proceed, 4000);
}
