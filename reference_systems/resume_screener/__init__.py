"""Case D.11: a résumé screener that learned name origin from ten years of biased hiring."""
