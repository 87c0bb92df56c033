(() => {
  const zone = document.getElementById("drop"), file = document.getElementById("file"), name = document.getElementById("chosen");
  if (!zone || !file) return;
  const shown = () => { name.textContent = file.files.length ? file.files[0].name : ""; };
  const over = on => event => { event.preventDefault(); zone.classList.toggle("over", on); };
  for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, over(true));
  for (const kind of ["dragleave", "dragend"]) document.addEventListener(kind, over(false));
  document.addEventListener("drop", event => {
    over(false)(event);
    if (event.dataTransfer.files.length !== 1) return;
    file.files = event.dataTransfer.files;
    shown();
    file.form.requestSubmit();
  });
  file.addEventListener("change", shown);
})();
