"""Plotly figures, and the component that draws them. Colours are the theme's."""
