"""How the application looks: paper and ink as in the figures, the system's own fonts, dark mode.

Fonts are named, never fetched.
"""

import gradio as gr

FONT = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "monospace")

CSS = """
.gradio-container { width: 100% !important; max-width: 1100px !important; margin: 0 auto !important; }
.gradio-container main { width: 100% !important; }
#head h1 { font-weight: 650; letter-spacing: -0.02em; margin-bottom: 0; }
#head p { color: var(--body-text-color-subdued); margin-top: 0.25rem; }
.said p { font-size: 1.1rem; line-height: 1.5; }
.quiet, .quiet p { color: var(--body-text-color-subdued); font-size: 0.9rem; }
button:focus-visible, input:focus-visible, [role="tab"]:focus-visible {
  outline: 3px solid var(--color-accent); outline-offset: 2px;
}
@media (max-width: 640px) {
  .gradio-container { padding: 0.5rem !important; }
  #head h1 { font-size: 1.5rem; }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
"""


# Gradio's example pictures are buttons without names, which screen readers cannot tell apart.
NAMES = """() => {
  const name = () => document.querySelectorAll("button.gallery-item:not([aria-label])")
    .forEach((button, n) => { button.ariaLabel = `Example ${n + 1}`; });
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
}"""

_BLUES = (
    *("#f2f6fa", "#dfe9f2", "#c3d6e6", "#9dbdd9", "#7aa5c9", "#4f85b5"),
    *("#33628f", "#285078", "#1f4c7a", "#16375a", "#0f2f52"),
)


def theme():
    """Blue of the figures on warm grey."""
    return gr.themes.Soft(
        primary_hue=gr.themes.Color(*_BLUES, name="atelier"),
        neutral_hue="stone",
        radius_size="md",
        font=FONT,
        font_mono=MONO,
    ).set(
        body_text_color_subdued="*neutral_600",  # the theme's own is too pale to read
        body_text_color_subdued_dark="*neutral_300",
    )
