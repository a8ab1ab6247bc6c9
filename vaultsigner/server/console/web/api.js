/**
 * Questions to the service, and what to say when it does not answer as hoped.
 */
import { currentToken, end } from "./session.js";

/** What went wrong, in words for the person in front of the page. */
export class ApiError extends Error {
  /**
   * @param {string} message what to do
   * @param {number} status of HTTP; 0: there was no answer
   * @param {string} code the service's word
   */
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * @param {string} path
 * @param {URLSearchParams | null} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function get(path, parameters = null, signal = undefined) {
  return (await ask("GET", addressOf(path, parameters), undefined, signal)).json();
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>}
 */
export async function post(path, body) {
  return (await ask("POST", path, body)).json();
}

/** @param {string} path */
export async function remove(path) {
  return (await ask("DELETE", path)).json();
}

/**
 * A body that comes in pieces.
 * @param {string} path
 * @param {URLSearchParams | null} parameters
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
export function stream(path, parameters, signal) {
  return ask("GET", addressOf(path, parameters), undefined, signal);
}

/**
 * @param {string} path
 * @param {URLSearchParams | null} parameters
 */
function addressOf(path, parameters) {
  const query = parameters?.toString();
  return query ? `${path}?${query}` : path;
}

/**
 * @param {string} method
 * @param {string} address
 * @param {object} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<Response>}
 */
async function ask(method, address, body = undefined, signal = undefined) {
  const token = currentToken();
  /** @type {Record<string, string>} */
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(address, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The service does not answer. Look whether it runs and whether you are connected.", 0, "no_answer");
  }
  if (response.ok) return response;
  throw await refusalOf(response, token);
}

/**
 * @param {Response} response
 * @param {string | null} token
 */
async function refusalOf(response, token) {
  const body = await response.json().catch(() => ({}));
  const code = typeof body.code === "string" ? body.code : "";
  const message = typeof body.message === "string" ? body.message : `The service answered ${response.status}.`;
  // A late answer to whoever was logged in before ends nobody else's session.
  if (token !== null && token === currentToken() && (response.status === 401 || code === "invalid_token")) {
    end("The service no longer accepts this log-in: it has expired, or the user was changed. Log in again.");
  }
  return new ApiError(message + wait(response), response.status, code);
}

/** @param {Response} response */
function wait(response) {
  const seconds = response.headers.get("Retry-After");
  return seconds ? ` Try again in ${seconds} s.` : "";
}
