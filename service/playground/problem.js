// What the service refused, in its own sentence.
export class Problem extends Error {
  constructor(status, detail, retryAfter) {
    super(sentence(detail));
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export async function problemOf(response) {
  let detail = `the service answered ${response.status}`;
  try {
    detail = (await response.json()).detail ?? detail;
  } catch {
    // something between here and the service answered in its place
  }
  return new Problem(response.status, detail, Number(response.headers.get("Retry-After")) || 0);
}

function sentence(detail) {
  return detail.charAt(0).toUpperCase() + detail.slice(1).replace(/\.?$/, ".");
}
