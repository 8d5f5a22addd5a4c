"""What a folder has to be made to do, beyond the contract of the store of bytes."""
