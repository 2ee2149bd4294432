// Before the first paint, so that a chosen theme does not flash. Only the choice is kept in clear, nothing of the account.
(function () {
  try {
    const theme = localStorage.getItem('sotto.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is switched off: the system's theme it is.
  }
})();
