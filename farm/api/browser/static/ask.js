// Requests to the farm that a page's own scripts make.

export const csrf = document.body.dataset.csrf;

/** Ask the farm; what it refuses is an Error with its sentence, and with what helps. */
export async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", "Farm-Csrf": csrf },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) {
    const error = new Error(refusal(told));
    error.detail = told.detail;
    throw error;
  }
  return told;
}

/** Return what a problem document says, with what helps. */
export function refusal(told) {
  return `${told.detail}${told.remedy ? `: ${told.remedy}` : ""}`;
}
