create table users (
  id char(36) primary key,
  name varchar(100) not null unique,
  key_hash char(64) not null unique
);
