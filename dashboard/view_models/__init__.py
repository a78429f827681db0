"""What the pages show, put together from the stores; knows nothing of Streamlit."""
