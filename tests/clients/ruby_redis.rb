# SPDX-License-Identifier: BSD-3-Clause
# Debian's ruby-redis.
require 'json'
require 'redis'

client = Redis.new(port: ENV.fetch('EBB_PORT').to_i, timeout: 20)

def same(got, wanted)
  raise "#{got.inspect} instead of #{wanted.inspect}" unless got == wanted
end

features = {
  'strings, expiry, counters' => lambda {
    client.flushall
    same client.set('k', 'v', ex: 100), 'OK'
    same client.get('k'), 'v'
    same client.mget('k', 'none'), ['v', nil]
    same client.incrby('n', 5), 5
  },
  'SCAN' => -> { same client.scan_each(match: '?').to_a.sort, %w[k n] },
  'pipelines' => lambda {
    same client.pipelined { |p| p.set('p', 1); p.incr('p') }, ['OK', 2]
  },
  'transactions' => lambda {
    same client.multi { |m| m.set('m', 1); m.incr('m') }, ['OK', 2]
  },
  'hashes' => lambda {
    client.hset('h', 'a', 1, 'b', 2)
    same client.hgetall('h'), { 'a' => '1', 'b' => '2' }
  },
  'publish and subscribe' => lambda {
    listener = Redis.new(port: ENV.fetch('EBB_PORT').to_i, timeout: 20)
    listener.subscribe('news') do |on|
      on.subscribe { client.publish('news', 'hello') }
      on.message do |_, text|
        same text, 'hello'
        listener.unsubscribe('news')
      end
    end
  },
  '!scripts in Lua' => -> { client.eval('return 1') }
}

features.each do |name, works|
  why = ''
  begin
    works.call
  rescue StandardError => e
    why = e.message.lines.first.to_s.chomp
    why = e.class.name if why.empty?
  end
  puts JSON.generate(client: 'redis-rb (Debian)', version: Redis::VERSION,
                     feature: name.delete_prefix('!'), works: why.empty?,
                     wanted: !name.start_with?('!'), why: why)
end
