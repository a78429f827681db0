"""Write every page of `docs/reference`."""

from __future__ import annotations

from scripts.reference.pages import FOLDER, pages

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    current = pages()
    for name, text in current.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    for old in FOLDER.iterdir():
        if old.name not in current:
            old.unlink()
