"""Files and frames to tables: text, Parquet, known sets, downloads."""
