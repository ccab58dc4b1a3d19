// Runs before the page is painted, so that a chosen theme does not flash in.
(function () {
  try {
    const theme = localStorage.getItem("lxmert.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // No storage: the system's theme it is.
  }
})();
