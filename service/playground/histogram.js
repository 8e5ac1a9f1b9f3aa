// A histogram from quantiles 0, 1, ..., 100 %: which share lies in each of equally wide columns.
const COLUMNS = 48;

export function histogram(quantiles) {
  const [low, high] = [quantiles[1], quantiles.at(-1)]; // the lowest hundredth has a long tail
  const place = (i) => low + (i / COLUMNS) * (high - low);
  return Array.from({ length: COLUMNS }, (_, i) => [place(i), place(i + 1), below(quantiles, place(i + 1)) - below(quantiles, place(i))]);
}

// The share that lies below a value.
function below(quantiles, value) {
  const i = quantiles.findIndex((quantile) => quantile > value);
  if (i === -1) return 1;
  if (i === 0) return 0;
  return (i - 1 + (value - quantiles[i - 1]) / (quantiles[i] - quantiles[i - 1])) / 100;
}
