// Requests to the server. Every error has a message for people.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function read(response) {
  if (response.ok) return response.status === 204 ? null : response.json();
  let message = `the server answered ${response.status}`;
  try {
    message = (await response.json()).error ?? message;
  } catch {
    // no JSON: the status says what there is to say
  }
  throw new Refused(response.status, message);
}

async function send(path, options) {
  try {
    return await read(await fetch(path, { credentials: "same-origin", ...options }));
  } catch (error) {
    if (error instanceof TypeError) throw new Refused(0, "the server does not answer: is it still running?");
    throw error;
  }
}

export const get = (path, values = {}) => send(`${path}${query(values)}`);
export const remove = (path) => send(path, { method: "DELETE", keepalive: true });
export const post = (path, body) =>
  send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export function query(values) {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "") pairs.append(name, each);
    }
  }
  const text = pairs.toString();
  return text ? `?${text}` : "";
}

// XMLHttpRequest, since fetch does not tell how much of a body was sent.
export function upload(path, file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // as above
      }
      if (request.status === 202) resolve(answer);
      else reject(new Refused(request.status, answer.error ?? `the server answered ${request.status}`));
    };
    request.onerror = () => reject(new Refused(0, "the upload broke off: the file is too large, or the server is gone"));
    request.onabort = () => reject(new Refused(0, ""));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
