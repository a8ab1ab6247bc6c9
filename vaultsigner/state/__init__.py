"""What must not be counted twice: account sequences and held transactions, durably."""
