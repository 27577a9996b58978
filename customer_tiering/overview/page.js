(() => {
  const root = document.documentElement;
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const titles = { en: document.querySelector("h1 [lang=en]").textContent, zh: document.querySelector("h1 [lang|=zh]").textContent };
  let drawn = [];

  async function show(language) {
    const short = language.slice(0, 2);
    root.lang = language;
    root.removeAttribute("data-ready");
    document.title = titles[short];
    for (const button of document.querySelectorAll("button[data-language]"))
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    for (const chart of document.querySelectorAll(".chart"))
      chart.setAttribute("aria-label", chart.dataset[short]);
    drawn.splice(0).forEach((chart) => chart.finalize());
    const options = { actions: false, renderer: "svg", ast: false };
    drawn = await Promise.all(
      Object.entries(charts[short]).map(([name, chart]) => vegaEmbed("#chart-" + name, chart, options)),
    );
    // what a chart shows its label and the table beside it say
    for (const svg of document.querySelectorAll(".chart svg")) svg.setAttribute("aria-hidden", "true");
    root.setAttribute("data-ready", language);
  }

  for (const button of document.querySelectorAll("button[data-language]"))
    button.addEventListener("click", () => {
      history.replaceState(null, "", "#" + button.dataset.language.slice(0, 2));
      show(button.dataset.language);
    });
  // a closed list of figures would not be printed
  window.addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  show(root.lang);
})();
