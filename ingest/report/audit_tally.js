// Estimates from the judgements of an audit, as in ingest/review/audit.py.

const Z = 1.959963984540054; // 95 % of a normal distribution

// The 95 % interval of a share that was observed in n trials, after Wilson.
function wilson(p, n) {
  const spread = Z * Math.sqrt((p * (1 - p)) / n + Z ** 2 / (4 * n ** 2));
  const end = (sign) => (p + Z ** 2 / (2 * n) + sign * spread) / (1 + Z ** 2 / n);
  return [Math.max(end(-1), 0), Math.min(end(1), 1)];
}

// strata: [{ name, population, judged, right }] of one unit. Adds precision, low and high to each,
// and returns the estimate for all kept ones: each stratum counts by its population, and the
// interval is that of as many judgements as are worth the same without weights (after Kish).
function estimate(strata) {
  for (const stratum of strata) {
    const { judged, right } = stratum;
    const [low, high] = judged ? wilson(right / judged, judged) : [null, null];
    Object.assign(stratum, { precision: judged ? right / judged : null, low, high });
  }
  const kept = strata.filter(({ name, judged }) => judged && name.startsWith("kept,"));
  if (!kept.length) return null;
  const sum = (of) => kept.reduce((total, stratum) => total + of(stratum), 0);
  const population = sum((s) => s.population);
  const precision = sum((s) => (s.population / population) * s.precision);
  const size = 1 / sum((s) => (s.population / population) ** 2 / s.judged);
  const [low, high] = wilson(precision, size);
  return { name: null, population, judged: sum((s) => s.judged), right: sum((s) => s.right), precision, low, high };
}

const percent = (x) => `${(100 * x).toFixed(1)} %`;
const interval = ({ low, high }) => `${(100 * low).toFixed(1)} – ${(100 * high).toFixed(1)} %`;
