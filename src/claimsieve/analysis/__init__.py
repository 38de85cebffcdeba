"""The analyst's page: labelled claims, and the article they are from, as one HTML file to read, print and send."""
