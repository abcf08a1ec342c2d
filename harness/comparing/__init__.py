"""Two targets asked the same: exchanges, their normal form, differences, recorded answers, the account."""
