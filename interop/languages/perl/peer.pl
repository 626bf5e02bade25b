#!/usr/bin/perl
# Perl's judge: Crypt::JWT. See ../README.md for the lines it reads and writes.
use strict;
use warnings;
use Crypt::JWT qw(decode_jwt encode_jwt);
use JSON::PP;
use MIME::Base64 qw(decode_base64 encode_base64);

$| = 1;
my $json = JSON::PP->new->utf8->canonical;

sub act {
    my ($action, $alg, $key, $value) = @_;
    my $signer = $alg =~ /^HS/ ? $key : \$key;    # a reference means PEM
    if ($action eq 'sign') {
        return encode_jwt(payload => $json->decode($value), key => $signer, alg => $alg,
            extra_headers => { typ => 'JWT' });
    }
    my $claims = decode_jwt(token => $value, key => $signer, accepted_alg => $alg, verify_iat => 1);
    return $json->encode($claims);
}

while (my $line = <STDIN>) {
    my ($action, $alg, $key, $value) = split ' ', $line;
    my $answer = eval { act($action, $alg, decode_base64($key), decode_base64($value)) };
    print defined $answer ? "ok " . encode_base64($answer, '') : "refused " . encode_base64($@, ''), "\n";
}
