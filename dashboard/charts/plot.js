// Draws a Plotly figure, and later ones into the same chart: nothing flashes, and the reader's zoom stays.

function loadPlotly(address) {
  window.ctrPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`${address} cannot be loaded`));
    document.head.append(script);
  });
  return window.ctrPlotly;
}

// The theme's colours and fonts, for what the figure leaves open.
function themed(layout, chart) {
  const style = getComputedStyle(chart);
  const value = (name) => style.getPropertyValue(name).trim();
  const list = (name) => value(name).split(/,(?![^(]*\))/).map((color) => color.trim());
  const ramp = list("--st-chart-sequential-colors");
  const themedLayout = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    colorway: list("--st-chart-categorical-colors"),
    colorscale: { sequential: ramp.map((color, index) => [index / (ramp.length - 1), color]) },
    font: { family: value("--st-font"), size: 12, color: value("--st-text-color") },
    hoverlabel: { bgcolor: value("--st-secondary-background-color"), bordercolor: value("--st-border-color") },
    ...layout,
  };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    const lines = value("--st-border-color");
    themedLayout[name] = { automargin: true, gridcolor: lines, linecolor: lines, zerolinecolor: lines, ...layout[name] };
  }
  return themedLayout;
}

// On a heat map Plotly chooses the text's colour for the colour behind it, and forgets fields that have none.
function readable(traces, chart) {
  const color = getComputedStyle(chart).getPropertyValue("--st-text-color").trim();
  return traces.map((trace) => (trace.type === "heatmap" ? { ...trace, textfont: { color } } : trace));
}

export default function ({ data, parentElement }) {
  const chart = parentElement.querySelector(".chart");
  chart.style.height = `${data.height_px}px`;
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", data.alt);
  const figure = JSON.parse(data.figure);
  loadPlotly(data.plotly_address)
    .then((Plotly) =>
      Plotly.react(chart, readable(figure.data, chart), themed(figure.layout, chart), {
        displayModeBar: false,
        responsive: true,
      }),
    )
    .catch((error) => {
      chart.textContent = error.message;
    });
  return () => window.Plotly?.purge(chart);
}
