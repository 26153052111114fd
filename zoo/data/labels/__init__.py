"""Columns of a table to labels: roles of columns, cells, words."""
