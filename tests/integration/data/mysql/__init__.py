"""What MySQL and MariaDB have to be made to do, beyond the contract of the ports."""
