"""Reports for the committee, and the crime situation. Counts that could single somebody out are not published."""
