"""Files from and to servers over HTTP(S), FTP(S) and SFTP: bounded in size and time, resumed after a break."""
