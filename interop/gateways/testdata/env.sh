#!/bin/sh
# Prints the variables that a CGI server has made of the request's headers.
printf 'Content-Type: text/plain\r\n\r\n'
exec env
