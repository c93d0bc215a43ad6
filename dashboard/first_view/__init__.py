"""What is to be seen of a page while Streamlit still starts: its title, and its heatmap."""
