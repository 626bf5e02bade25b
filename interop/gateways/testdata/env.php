<?php
// Prints what PHP has made of the request's headers, a line for each variable.
header('Content-Type: text/plain');
foreach ($_SERVER as $name => $value) {
    if (is_string($value)) {
        echo $name, '=', str_replace(["\r", "\n"], ' ', $value), "\n";
    }
}
