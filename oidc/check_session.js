"use strict";
// Written for every browser, those of test tools included: without promises, and without the
// hash functions of browsers, which need them.

var cookieName = document.documentElement.getAttribute("data-cookie") + "=";

function browserState() {
	var cookies = document.cookie.split("; ");
	for (var i = 0; i < cookies.length; i++) {
		if (cookies[i].indexOf(cookieName) === 0) {
			return cookies[i].slice(cookieName.length);
		}
	}
	return "";
}

// roots returns the first 32 bits of the fractional parts of the roots of the first primes.
function roots(count, exponent) {
	var found = [];
	for (var n = 2; found.length < count; n++) {
		var prime = true;
		for (var i = 2; i * i <= n; i++) {
			prime = prime && n % i !== 0;
		}
		if (prime) {
			var root = Math.pow(n, exponent);
			found.push(((root - Math.floor(root)) * 4294967296) | 0);
		}
	}
	return found;
}

var initial = roots(8, 1 / 2);
var constants = roots(64, 1 / 3);

function rotate(word, bits) {
	return (word >>> bits) | (word << (32 - bits));
}

// sha256 returns the hash of an ASCII text (FIPS 180-4 §6.2), in base64url.
function sha256(text) {
	var words = [], hash = initial.slice(), schedule = [], i, j;
	var length = (((text.length + 8) >> 6) + 1) * 16;
	for (i = 0; i < length; i++) {
		words[i] = 0;
	}
	for (i = 0; i <= text.length; i++) {
		words[i >> 2] |= (i < text.length ? text.charCodeAt(i) : 128) << (24 - (i % 4) * 8);
	}
	words[length - 1] = text.length * 8;
	for (i = 0; i < length; i += 16) {
		var h = hash.slice();
		for (j = 0; j < 64; j++) {
			if (j < 16) {
				schedule[j] = words[i + j];
			} else {
				var a = schedule[j - 15], b = schedule[j - 2];
				schedule[j] = (schedule[j - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) +
					schedule[j - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10))) | 0;
			}
			var first = (h[7] + (rotate(h[4], 6) ^ rotate(h[4], 11) ^ rotate(h[4], 25)) +
				((h[4] & h[5]) ^ (~h[4] & h[6])) + constants[j] + schedule[j]) | 0;
			var second = ((rotate(h[0], 2) ^ rotate(h[0], 13) ^ rotate(h[0], 22)) +
				((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]))) | 0;
			h = [(first + second) | 0, h[0], h[1], h[2], (h[3] + first) | 0, h[4], h[5], h[6]];
		}
		for (j = 0; j < 8; j++) {
			hash[j] = (hash[j] + h[j]) | 0;
		}
	}
	var bytes = "";
	for (i = 0; i < 32; i++) {
		bytes += String.fromCharCode((hash[i >> 2] >>> (24 - (i % 4) * 8)) & 255);
	}
	return btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");
}

addEventListener("message", function (event) {
	if (!event.source || !/^https?:/.test(event.origin)) {
		return;
	}
	var parts = /^([ -~]{1,255}) ([\w-]{1,100}\.([\w-]{1,100}))$/.exec(event.data);
	if (!parts) {
		event.source.postMessage("error", event.origin);
		return;
	}
	var state = sha256([parts[1], event.origin, browserState(), parts[3]].join(" ")) + "." + parts[3];
	event.source.postMessage(parts[2] === state ? "unchanged" : "changed", event.origin);
});
