// WebRTC is the one way out of a page that no Content-Security-Policy closes: it is taken away
// before any other script runs. Workers never have it. Imported first by main.tsx.
for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel']) {
  Object.defineProperty(globalThis, name, { value: undefined, writable: false });
}

export {};
