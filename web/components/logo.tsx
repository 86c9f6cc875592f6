/** A curve and its quantization: also icon.svg. */
export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path
        d="M6 24C13 24 19 8 26 8"
        fill="none"
        stroke="#99f6e4"
        stroke-width="2"
        stroke-linecap="round"
        opacity=".75"
      />
      <path
        d="M6 24h5v-5h5v-6h5V8h5"
        fill="none"
        stroke="#fff"
        stroke-width="2.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
