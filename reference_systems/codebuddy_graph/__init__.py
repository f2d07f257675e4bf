"""Case D.5: a code assistant whose call chains of 50,000 tokens had to fit in 4,000."""
