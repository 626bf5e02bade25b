# Ruby's judge: ruby-jwt. See ../README.md for the lines it reads and writes.
require "base64"
require "json"
require "jwt"
require "openssl"

$stdout.sync = true

def key_for(alg, key)
  alg.start_with?("HS") ? key : OpenSSL::PKey.read(key)
end

def act(action, alg, key, value)
  if action == "sign"
    JWT.encode(JSON.parse(value), key_for(alg, key), alg, { typ: "JWT" })
  else
    claims, _header = JWT.decode(value, key_for(alg, key), true, { algorithm: alg, verify_iat: true })
    JSON.generate(claims)
  end
end

$stdin.each_line do |line|
  action, alg, key, value = line.split(" ")
  begin
    answer = act(action, alg, Base64.decode64(key), Base64.decode64(value).force_encoding("UTF-8"))
    puts "ok #{Base64.strict_encode64(answer)}"
  rescue StandardError => e
    puts "refused #{Base64.strict_encode64("#{e.class}: #{e.message}")}"
  end
end
