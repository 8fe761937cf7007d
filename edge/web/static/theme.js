// Before the first paint: the light or dark scheme and the size of type chosen here.
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("theme");
    const type = localStorage.getItem("type");
    if (theme) root.dataset.theme = theme;
    if (type) root.dataset.type = type;
  } catch {
    // A browser without storage shows what its system prefers.
  }
})();
