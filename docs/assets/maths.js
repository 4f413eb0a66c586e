// Formulas are rendered by KaTeX, which only pages that have some load.
(function () {
  const here = document.currentScript.src.replace(/[^/]*$/, "katex/");
  function render() {
    for (const element of document.querySelectorAll(".arithmatex")) {
      const text = element.textContent.trim();
      const display = text.startsWith("\\[") || text.startsWith("$$");
      katex.render(text.slice(2, -2), element, { displayMode: display, throwOnError: true });
    }
  }
  document.addEventListener("DOMContentLoaded", function () {
    if (!document.querySelector(".arithmatex")) return;
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = here + "katex.min.css";
    const script = document.createElement("script");
    script.src = here + "katex.min.js";
    script.onload = render;
    document.head.append(style, script);
  });
})();
