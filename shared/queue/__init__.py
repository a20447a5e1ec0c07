"""The queue only wakes workers up; PostgreSQL holds what there is to do."""
