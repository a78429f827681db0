"""Operations on the running job: stop, rescale, restore, upgrade, hand over, drill, and what to discard."""
