// A long draw, row by row as it comes. Row i is the same alone and in a crowd, so it may be asked for in pieces.
const FIRST = 8; // rows, by which the pace is found
const PIECE_MILLISECONDS = 250;

export async function* draws(api, model, body, signal) {
  let next = FIRST;
  for (let done = 0; done < body.num_samples; ) {
    const rows = Math.min(next, body.num_samples - done);
    const label = Array.isArray(body.label) ? body.label.slice(done, done + rows) : body.label;
    const piece = { ...body, ...(label === undefined ? {} : { label }), num_samples: rows, index: body.index + done };
    const began = performance.now();
    for await (const line of api.lines(model, "sample", piece, signal, body)) yield line;
    const pace = (performance.now() - began) / rows;
    next = Math.max(1, Math.floor(PIECE_MILLISECONDS / pace));
    done += rows;
  }
}
